#!/bin/bash
FULL=prod-db.vendor.example
PROD=live.vendor.example
ENV=PROD
curl https://${FULL:5}/x
curl https://${!ENV}/y
