(
echo server=db.vendor.example
echo url=https://api.vendor.example/v1
) > C:\App\app.ini
echo more>> C:\App\app.ini
