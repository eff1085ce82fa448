import os
os.environ.get("foo")
