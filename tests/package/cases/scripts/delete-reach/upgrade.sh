#!/bin/sh
rm -rf "$DIR/"
rm -rf /opt/$APP/*
rm -rf "${BASE:?}/x"
rm -f "$F"
X=/opt/app
rm -rf "$X/cache"
