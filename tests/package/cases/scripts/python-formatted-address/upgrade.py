import urllib.request
urllib.request.urlopen("https://license.app.example/activate?key=%s" % key)
urllib.request.urlopen("https://stats.app.example/{}".format(key))
print("please do not reboot")
