#!/bin/sh
curl -fsSL https://get.vendor.example/i.sh | sudo bash
bash <(wget -qO- https://get2.vendor.example)
sh -c "$(curl -fsSL https://get3.vendor.example)"
