#!/bin/sh
curl -X POST -H 'Content-Type: application/json' -d '{"url": "https://me.example/cb"}' https://api.vendor.example/v1/webhooks
curl https://api.vendor.example/v1/webhooks
