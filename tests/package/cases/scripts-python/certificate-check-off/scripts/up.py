import requests, os, ssl
requests.get("https://a.vendor.example", verify=False)
os.environ["PYTHONHTTPSVERIFY"] = "0"
ctx = ssl.create_default_context()
ctx.check_hostname = False
