#!/bin/sh
UPDATE_URL=https://update.vendor.example/v1
HOMEPAGE=https://www.vendor.example
export UPDATE_URL
