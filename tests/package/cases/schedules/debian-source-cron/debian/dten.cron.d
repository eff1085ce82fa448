0 3 * * * root /bin/true
