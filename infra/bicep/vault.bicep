// The vault of what nothing else may make anew: the key that seals webhook secrets, the operator's secret, the key of the search server. Deployed on its own, before
// main.bicep, so that its secrets are set once (infra/secrets.sh) and no later deployment can overwrite them.
targetScope = 'resourceGroup'

@description('Where everything is.')
param location string = resourceGroup().location

@description('Object id of who deploys, a person or a pipeline: may set secrets.')
param deployerId string

@description('Kind of the deployer.')
@allowed(['User', 'ServicePrincipal', 'Group'])
param deployerType string = 'User'

@description('Keeps the vault, and what is deleted from it, from being removed for good for 90 days. On in production; a test group could not be made again by the same name.')
param purgeProtection bool = false

var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' // Key Vault Secrets Officer

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: 'kv-${uniqueString(resourceGroup().id)}'
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: purgeProtection ? true : null
  }
}

resource deployerSetsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, deployerId, secretsOfficer)
  properties: {
    principalId: deployerId
    principalType: deployerType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

@description('The vault that the secrets go into.')
output vaultName string = vault.name
