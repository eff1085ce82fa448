function Get-File([string]$Name, [string]$From = 'cdn.vendor.example') {
  (New-Object System.Net.WebClient).DownloadFile("https://$From/$Name", "$env:TEMP\$Name")
}
Get-File 'a.msi'
Get-File -Name 'b.msi' -From 'old.vendor.example'
