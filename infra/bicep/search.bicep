// The search server: one container on a volume, reached from inside the network alone. Its index can be made anew from the store at any time.
param location string
param suffix string
param image string
param subnetId string
param networkId string
param identityId string

@description('The address of its key in the vault.')
param keyUri string

@description('The Log Analytics workspace of its logs.')
param workspaceId string

// NFS, because a share over SMB can be mounted with an account key alone, and is no place for a memory-mapped database.
resource account 'Microsoft.Storage/storageAccounts@2026-09-01' = {
  name: 'stsearch${take(suffix, 15)}'
  location: location
  kind: 'FileStorage'
  sku: { name: 'Premium_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: false // NFS knows no TLS; the network rule below is what keeps others out
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'None'
      virtualNetworkRules: [{ id: subnetId, action: 'Allow' }]
    }
  }

  resource files 'fileServices' = {
    name: 'default'

    resource share 'shares' = {
      name: 'search'
      properties: {
        enabledProtocols: 'NFS'
        rootSquash: 'NoRootSquash'
        shareQuota: 100 // GiB, the least there is
      }
    }
  }
}

resource environment 'Microsoft.App/managedEnvironments@2026-07-01' = {
  name: 'cae-${suffix}'
  location: location
  properties: {
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: true }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    appLogsConfiguration: { destination: 'azure-monitor' }
  }

  resource volume 'storages' = {
    name: 'search'
    properties: {
      nfsAzureFile: {
        server: '${account.name}.file.${az.environment().suffixes.storage}'
        shareName: '/${account.name}/${account::files::share.name}'
        accessMode: 'ReadWrite'
      }
    }
  }
}

// Only the preview has categoryGroup; the stable version is older than it.
#disable-next-line use-recent-api-versions
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource server 'Microsoft.App/containerApps@2026-07-01' = {
  name: 'search'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      ingress: { external: true, targetPort: 7700, allowInsecure: false } // to the network; the environment is internal
      secrets: [{ name: 'key', keyVaultUrl: keyUri, identity: identityId }]
    }
    template: {
      containers: [
        {
          name: 'search'
          image: image
          resources: { cpu: json('1.0'), memory: '2Gi' }
          env: [
            { name: 'MEILI_ENV', value: 'production' }
            { name: 'MEILI_NO_ANALYTICS', value: 'true' }
            { name: 'MEILI_DB_PATH', value: '/data/index' }
            { name: 'MEILI_MAX_INDEXING_MEMORY', value: '512MiB' } // set aside for each task, however small
            { name: 'MEILI_MASTER_KEY', secretRef: 'key' }
          ]
          volumeMounts: [{ volumeName: 'data', mountPath: '/data' }]
          probes: [
            { type: 'Startup', httpGet: { path: '/health', port: 7700 }, periodSeconds: 5, failureThreshold: 60 }
            { type: 'Liveness', httpGet: { path: '/health', port: 7700 }, periodSeconds: 30 }
          ]
        }
      ]
      scale: { minReplicas: 1, maxReplicas: 1 } // one writer to the volume
      volumes: [{ name: 'data', storageType: 'NfsAzureFile', storageName: environment::volume.name }]
    }
  }
}

// A module, for the name of a resource has to be known before the deployment begins, and that of the zone is not.
module zone 'privateZone.bicep' = {
  params: {
    #disable-next-line what-if-short-circuiting // Azure makes the name up
    name: environment.properties.defaultDomain
    networkId: networkId
    address: environment.properties.staticIp
  }
}

output url string = 'https://${server.properties.configuration.ingress.fqdn}'
