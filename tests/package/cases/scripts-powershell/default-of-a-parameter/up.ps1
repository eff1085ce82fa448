param(
  [Parameter(Mandatory=$false)]
  [string]$Server = "files.vendor.example",
  [int]$Port = 8443
)
Invoke-WebRequest -Uri "https://${Server}:$Port/app.zip" -OutFile app.zip
