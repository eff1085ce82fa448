import os
from urllib.request import urlopen
A = "http://%s:%d/a" % ("a.vendor.example", 81)
B = "http://{0}/{path}".format("b.vendor.example", path="x")
C = "http://" + os.environ.get("C_HOST", "c.vendor.example") + "/c"
urlopen(A); urlopen(B); urlopen(C)
