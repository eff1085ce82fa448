#!/bin/sh
scp /x "in@$1:/y"
