import os, shutil
shutil.rmtree(os.environ.get("APP_DATA", "") + "/")

def clean(path):
    shutil.rmtree(path + "/")
