msiexec.exe /x {11111111-2222-3333-4444-555555555555} /qn REBOOT=ReallySuppress || exit /b 1
wusa.exe kb5030001.msu /quiet /norestart || exit /b 1
