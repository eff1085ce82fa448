irm https://get.vendor.example/i.ps1 | iex
