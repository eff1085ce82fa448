import os
from os import environ as e
REDIS = os.environ["REDIS_URL"]
POOL = int(os.environ.get("RELAY_POOL", "16"))
# os.environ["COMMENTED"]
SECRET = os.getenv("RELAY_TOKEN", "hunter2hunter2")
os.environ["SET_BY_US"] = "1"
HOME = os.environ["HOME"]
if "RELAY_DIR" in os.environ:
    DIR = os.environ["RELAY_DIR"]
try:
    K = os.environ["RELAY_KEYFILE"]
except KeyError:
    K = None
