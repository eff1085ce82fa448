#!/usr/bin/env ruby
require 'net/http'
# https://old.vendor.example
Net::HTTP.get(URI('https://api.vendor.example/x'))
system('systemctl restart app')
