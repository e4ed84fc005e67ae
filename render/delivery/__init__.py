"""What is finished goes to other machines: by FTP, SFTP, to S3, into folders."""
