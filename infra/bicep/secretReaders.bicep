// Who may read which secret, and no other: both apps the sealing key and the search server's, the API the operator's, the search server its own.
param vaultName string
param apiPrincipalId string
param webhooksPrincipalId string
param searchPrincipalId string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: vaultName

  resource sealingKey 'secrets' existing = { name: 'sealing-key' }
  resource searchKey 'secrets' existing = { name: 'search-key' }
  resource operatorSecret 'secrets' existing = { name: 'operator-secret' }
}

resource readSealingKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in [apiPrincipalId, webhooksPrincipalId]: {
    scope: vault::sealingKey
    name: guid(vault::sealingKey.id, reader, secretsUser)
    properties: {
      principalId: reader
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    }
  }
]

resource readSearchKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in [apiPrincipalId, webhooksPrincipalId, searchPrincipalId]: {
    scope: vault::searchKey
    name: guid(vault::searchKey.id, reader, secretsUser)
    properties: {
      principalId: reader
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    }
  }
]

resource readOperatorSecret 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault::operatorSecret
  name: guid(vault::operatorSecret.id, apiPrincipalId, secretsUser)
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}
