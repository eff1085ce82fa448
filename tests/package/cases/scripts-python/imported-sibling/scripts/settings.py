import requests
HOST = "api.vendor.example"

def fetch(url):
    return requests.get(url, timeout=5)
