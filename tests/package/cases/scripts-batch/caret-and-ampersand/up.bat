curl ^
  -o x ^
  https://dl.vendor.example/a^&b & net stop App && net start App
