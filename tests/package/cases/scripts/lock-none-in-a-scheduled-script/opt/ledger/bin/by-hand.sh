#!/bin/sh
rsync -a /srv/a/ /srv/b/
