import os
os.environ["T"]
