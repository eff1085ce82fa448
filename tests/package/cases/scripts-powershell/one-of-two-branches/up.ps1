if ($env:EU) { $h = 'https://eu.vendor.example' } else { $h = 'https://us.vendor.example' }
Invoke-WebRequest "$h/x"
