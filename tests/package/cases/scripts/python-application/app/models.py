import requests
requests.get('https://app.vendor.example')
