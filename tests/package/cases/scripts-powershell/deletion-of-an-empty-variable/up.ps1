$dir = $env:APP_HOME
Remove-Item -Recurse -Force "$dir\*"
Remove-Item -Recurse "C:\Program Files\App\old"
