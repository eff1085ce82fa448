import requests

class Client:
    def __init__(self, base="https://api.vendor.example"):
        self.base = base
        self.session = requests.Session()

    def flip(self, name):
        self.session.put(f"{self.base}/flags/{name}", json={"enabled": True})

c = Client()
