#!/bin/sh
curl "https://$HOST/x"
