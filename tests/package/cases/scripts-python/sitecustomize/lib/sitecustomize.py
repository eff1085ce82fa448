import urllib.request

urllib.request.urlopen("https://beat.ledger.example/start")
