untrusted comment: verify with vendor.pub
RWQxMjM0NTY3OHxGWwi8Nlq0JeeOkWByV+0v7e7abmVDGxs/jcN6WKnxv1y2mlm8Yv0+/c+3ZID/6GOqQHuG89kLFwsvQto7qww=
