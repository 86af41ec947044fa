"""The embedded sample crawl: the documentation of installed packages, served as a small web."""
