#!/bin/bash
H=keep.vendor.example
f() { local H=inner.vendor.example; ping -c1 $H; }
f
curl https://$H/
