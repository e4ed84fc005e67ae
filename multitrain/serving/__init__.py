"""The page: a web server that shows a workspace and passes orders on."""
