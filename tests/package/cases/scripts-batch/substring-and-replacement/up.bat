set U=http://old.vendor.example/x
set U=%U:old=new%
curl %U%
set V=xxapi.vendor.example
curl https://%V:~2%/y
