#!/bin/sh
nc -z q.example 5672
openssl s_client -connect t.example:8883 </dev/null
exec 3<>/dev/tcp/u.example/80
telnet v.example 25
