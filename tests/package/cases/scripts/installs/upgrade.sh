#!/bin/sh
pip install 'requests>=2' flask==3.0.0 -r req.txt
npm install -g left-pad@latest
yum -y install httpd
