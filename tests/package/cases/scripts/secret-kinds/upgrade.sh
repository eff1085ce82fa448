#!/bin/sh
DB_PASSWORD='s3cret-word'
mysql -u root -pan0ther x
curl -u admin:third-one https://x.vendor.example
