import os, urllib2
print "see https://help.vendor.example"
os.system("systemctl restart app")
urllib2.urlopen("http://api.vendor.example/x")
