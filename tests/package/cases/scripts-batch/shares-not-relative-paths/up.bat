copy \\files.vendor.example\drop\a.zip C:\App\a.zip
node "%~dp0\..\lib\a.js"
call ".\\node_modules\x.cmd"
