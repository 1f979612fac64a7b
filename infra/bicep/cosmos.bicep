// The database. Containers, their keys, lifetimes and indexes are those of src/Azure/Cosmos; a test holds the two together.
param location string

@description('A second region; empty for none.')
param secondaryLocation string

param suffix string

@allowed(['serverless', 'autoscale'])
param capacity string

param maxThroughput int
param apiPrincipalId string
param webhooksPrincipalId string
param isPublic bool

var isServerless = capacity == 'serverless'
var dataContributor = '00000000-0000-0000-0000-000000000002' // Cosmos DB Built-in Data Contributor

// The small ones share what is left of the database; crm and deliveries have throughput of their own.
var containers = [
  { name: 'crm', key: '/pk', ttl: -1, indexing: loadJsonContent('indexing/crm.json'), isLarge: true }
  { name: 'deliveries', key: '/pk', ttl: -1, indexing: loadJsonContent('indexing/deliveries.json'), isLarge: true }
  { name: 'access', key: '/id', ttl: null, indexing: loadJsonContent('indexing/access.json'), isLarge: false }
  { name: 'leases', key: '/id', ttl: null, indexing: null, isLarge: false }
]

resource account 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  name: 'cosmos-${suffix}'
  location: location
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    enableAutomaticFailover: !empty(secondaryLocation)
    locations: concat(
      [{ locationName: location, failoverPriority: 0, isZoneRedundant: !isServerless }],
      empty(secondaryLocation) ? [] : [{ locationName: secondaryLocation, failoverPriority: 1, isZoneRedundant: false }]
    )
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: isServerless ? 'Continuous7Days' : 'Continuous30Days' }
    }
  }

  resource database 'sqlDatabases' = {
    name: 'nodestash'
    properties: {
      resource: { id: 'nodestash' }
      options: isServerless ? {} : { autoscaleSettings: { maxThroughput: 1000 } }
    }

    resource all 'containers' = [
      for container in containers: {
        name: container.name
        properties: {
          resource: union(
            {
              id: container.name
              partitionKey: { paths: [container.key], kind: 'Hash', version: 2 }
            },
            container.ttl == null ? {} : { defaultTtl: container.ttl },
            container.indexing == null ? {} : { indexingPolicy: container.indexing }
          )
          options: isServerless || !container.isLarge ? {} : { autoscaleSettings: { maxThroughput: maxThroughput } }
        }
      }
    ]
  }

  // Data, not structure: neither app may make, change or drop a container.
  resource readsAndWrites 'sqlRoleAssignments' = [
    for principalId in [apiPrincipalId, webhooksPrincipalId]: {
      name: guid(account.id, principalId, dataContributor)
      properties: {
        principalId: principalId
        roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
        scope: '${account.id}/dbs/nodestash'
      }
      dependsOn: [database]
    }
  ]
}

// What a commit of more than a hundred operations runs: apps can't make it, so it is made here.
resource commit 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/storedProcedures@2026-03-15' = {
  name: '${account.name}/nodestash/crm/commit-1'
  properties: {
    resource: { id: 'commit-1', body: loadTextContent('../../src/Azure/Cosmos/commit.js') }
  }
  dependsOn: [account::database::all]
}

output accountId string = account.id
output endpoint string = account.properties.documentEndpoint
output databaseName string = account::database.name
