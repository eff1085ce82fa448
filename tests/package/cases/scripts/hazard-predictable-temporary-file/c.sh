#!/bin/sh
echo x > /tmp/app.log
