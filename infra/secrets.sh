#!/usr/bin/env sh
# Makes the resource group's vault, and in it the secrets that are not there yet. Run it before main.bicep is deployed, as often as you like:
# a secret that exists is left as it is.   Usage: infra/secrets.sh RESOURCE_GROUP [purge-protection]
set -eu
group=${1:-${AZURE_RESOURCE_GROUP:-}}
[ -n "$group" ] || { echo "usage: infra/secrets.sh RESOURCE_GROUP [purge-protection]" >&2; exit 2; }
[ "${2:-}" = purge-protection ] && protect=true || protect=false
here=$(cd "$(dirname "$0")" && pwd)

deployer=$(az ad signed-in-user show --query id --output tsv 2>/dev/null) && type=User || {
  deployer=$(az ad sp show --id "$(az account show --query user.name --output tsv)" --query id --output tsv)
  type=ServicePrincipal
}
vault=$(az deployment group create --resource-group "$group" --name vault --template-file "$here/bicep/vault.bicep" \
  --parameters deployerId="$deployer" deployerType="$type" purgeProtection="$protect" --query properties.outputs.vaultName.value --output tsv)

for name in sealing-key search-key operator-secret; do
  # A role takes a while to count: asking for a secret is refused until it does.
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12; do
    if found=$(az keyvault secret list --vault-name "$vault" --query "[?name=='$name'].name" --output tsv 2>/dev/null); then break; fi
    [ "$attempt" -lt 12 ] || { echo "no right to read the vault $vault: is the role assigned?" >&2; exit 1; }
    sleep 10
  done
  [ -n "$found" ] && continue
  # By a file, so that it stands on no command line.
  file=$(mktemp)
  openssl rand -base64 32 | tr -d '\n' > "$file"
  az keyvault secret set --vault-name "$vault" --name "$name" --file "$file" --output none
  rm -f "$file"
  echo "made $name in $vault"
done
