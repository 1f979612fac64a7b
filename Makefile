.PHONY: run demo test format build ci
run:    ; dotnet run --project src/LocalHost
demo:   ; dotnet run --project src/LocalHost -- demo
test:   ; dotnet test
format: ; dotnet format
build:  ; dotnet build -c Release -warnaserror
ci:     ; .ci/run
