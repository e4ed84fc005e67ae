"""Archives and videos from the internet: fetched, resumed, unpacked safely."""
