// What somebody should look at.
param location string
param email string
param insightsId string
param cosmosId string

// Names of metrics and queues are those of the code; a test holds them together.
var rules = [
  {
    name: 'server-errors'
    description: 'The API answers with 5xx.'
    query: 'requests | where toint(resultCode) >= 500 | summarize total = count()'
    threshold: 5
    severity: 1
    every: 'PT5M'
  }
  {
    name: 'given-up-jobs'
    description: 'A job was given up after 5 tries; it is kept in the queue whose name ends with -given-up (docs/operations.md).'
    query: 'union (customMetrics | where name == "nodestash.jobs.given_up" | project number = valueSum), (traces | where message has "Moving message to queue" and message has "-poison" | project number = 1.0) | summarize total = sum(number)'
    threshold: 0
    severity: 2
    every: 'PT5M'
  }
  {
    name: 'failing-deliveries'
    description: 'Many attempts to deliver webhooks fail.'
    query: 'customMetrics | where name == "nodestash.webhooks.attempts" and tostring(customDimensions.outcome) != "delivered" | summarize total = sum(valueSum)'
    threshold: 1000
    severity: 3
    every: 'PT15M'
  }
  {
    name: 'disabled-endpoints'
    description: 'An endpoint was disabled because it only failed, or answered 410.'
    query: 'customMetrics | where name == "nodestash.webhooks.endpoints.disabled" | summarize total = sum(valueSum)'
    threshold: 0
    severity: 3
    every: 'PT1H'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-nodestash'
  location: 'global'
  properties: {
    groupShortName: 'nodestash'
    enabled: true
    emailReceivers: [{ name: 'email', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}'
    location: location
    properties: {
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: rule.every
      windowSize: rule.every
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'total'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

resource throttling 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'alert-throttling'
  location: 'global'
  properties: {
    description: 'Cosmos DB refuses requests for want of throughput: raise cosmosMaxThroughput, or look for the workspace that needs more than one partition gives.'
    severity: 2
    enabled: true
    scopes: [cosmosId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'refused'
          metricName: 'TotalRequests'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 100
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}
