call "%~dp0lib.bat" AppSvc
