using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage.Cosmos;
using NodeStash.Core.Telemetry;

namespace NodeStash.Infrastructure.Tests;

/// <summary>A deployment has the names that the code uses, and lets nobody else in.</summary>
public sealed partial class DeploymentTests
{
    private const string Containers = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers";

    public static TheoryData<string> ParameterFiles => ["dev", "prod"];

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task Containers_have_the_code_s_names_keys_and_lifetimes(string parameters)
    {
        var deployed =
            from container in (await Deployment.With(parameters)).Resources(Containers)
            let settings = container.Properties.GetProperty("resource")
            let lifetime = settings.TryGetProperty("defaultTtl", out var seconds) ? seconds.GetInt32() : (int?)null
            select (container.Name, Id: settings.GetProperty("id").GetString(), Key: settings.GetProperty("partitionKey").GetProperty("paths")[0].GetString(), lifetime);

        Assert.Equal(CosmosContainers.All(Catalog.Indexes).Select(known => (known.Id, known.Id, known.PartitionKeyPath, known.DefaultTimeToLive)), deployed);
    }

    [Theory]
    [InlineData(CosmosContainers.Crm)]
    [InlineData(CosmosContainers.Deliveries)]
    [InlineData(CosmosContainers.Access)]
    public async Task A_container_is_indexed_as_the_code_says(string container)
    {
        var policy = CosmosContainers.All(Catalog.Indexes).Single(known => known.Id == container).IndexingPolicy;
        var deployed = (await Deployment.With("dev")).Resources(Containers).Single(resource => resource.Name == container).Properties.GetProperty("resource").GetProperty("indexingPolicy");

        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Newtonsoft.Json.JsonConvert.SerializeObject(policy)), deployed), deployed.ToString());
    }

    [Fact]
    public async Task The_stored_procedure_is_the_code_s()
    {
        var procedure = Assert.Single((await Deployment.With("dev")).Resources($"{Containers}/storedProcedures"));

        Assert.EndsWith($"/{CosmosContainers.Crm}/{CommitProcedure.Id}", procedure.FullName, StringComparison.Ordinal);
        Assert.Equal(CommitProcedure.Id, procedure.Properties.GetProperty("resource").GetProperty("id").GetString());
        Assert.Equal(CommitProcedure.Body, procedure.Properties.GetProperty("resource").GetProperty("body").GetString());
    }

    [Fact]
    public async Task Queues_are_those_of_the_code_each_with_one_for_poison() =>
        Assert.Equal(
            JobQueue.All.Concat(JobQueue.All.Select(queue => queue + JobQueue.PoisonSuffix)),
            (await Deployment.With("dev")).Resources("Microsoft.Storage/storageAccounts/queueServices/queues").Select(queue => queue.Name));

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task The_apps_are_told_settings_that_the_sample_explains(string parameters)
    {
        var explained = await File.ReadAllTextAsync(Bicep.In("local.settings.sample.json"));
        var told = (await Deployment.With(parameters)).Resources("Microsoft.Web/sites/config").SelectMany(settings => settings.Properties.EnumerateObject()).Select(setting => setting.Name).ToList();

        Assert.Contains("COSMOS_DATABASE", told);
        // A setting of several parts, as NAME__part, is explained with NAME.
        Assert.DoesNotContain(told, name => !Regex.IsMatch(explained, $@"\b{name}\b"));
    }

    [Fact]
    public async Task Alerts_are_on_metrics_and_queues_there_are()
    {
        var metrics = typeof(Instruments).GetFields(BindingFlags.Static | BindingFlags.Public).Select(field => field.GetValue(null)).OfType<Instrument>().Select(instrument => instrument.Name).ToList();
        var queries = (await Deployment.With("dev")).Resources("Microsoft.Insights/scheduledQueryRules").Select(alert => alert.Properties.GetProperty("criteria").GetProperty("allOf")[0].GetProperty("query").GetString()!).ToList();

        Assert.Contains(queries, query => query.Contains($"has \"{JobQueue.PoisonSuffix}\"", StringComparison.Ordinal));
        Assert.NotEmpty(queries.SelectMany(query => Metric().Matches(query)));
        Assert.DoesNotContain(queries.SelectMany(query => Metric().Matches(query)), metric => !metrics.Contains(metric.Value));
    }

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task No_store_takes_a_key(string parameters)
    {
        var deployment = await Deployment.With(parameters);

        Assert.All(deployment.Resources("Microsoft.Storage/storageAccounts"), account => Assert.False(account.Properties.GetProperty("allowSharedKeyAccess").GetBoolean()));
        Assert.All(deployment.Resources("Microsoft.DocumentDB/databaseAccounts"), account => Assert.True(account.Properties.GetProperty("disableLocalAuth").GetBoolean()));
        Assert.All(deployment.Resources("Microsoft.Insights/components"), insights => Assert.True(insights.Properties.GetProperty("DisableLocalAuth").GetBoolean()));
    }

    [Theory]
    [InlineData("dev", "Enabled")]
    [InlineData("prod", "Disabled")]
    public async Task Public_addresses_of_stores_are_closed_in_production(string parameters, string access)
    {
        var deployment = await Deployment.With(parameters);
        var stores = deployment.Resources("Microsoft.DocumentDB/databaseAccounts").Concat(deployment.Resources("Microsoft.Storage/storageAccounts").Where(account => account.Kind == "StorageV2"));

        Assert.Equal([access, access], stores.Select(store => store.Properties.GetProperty("publicNetworkAccess").GetString()));
    }

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task An_identity_reads_the_secrets_that_its_app_uses_and_no_other(string parameters)
    {
        var deployment = await Deployment.With(parameters);
        var uses = deployment.Resources("Microsoft.Web/sites/config").Concat(deployment.Resources("Microsoft.App/containerApps"))
            .SelectMany(app => Secret().Matches(app.Properties.ToString()), (app, secret) => $"{App().Match(app.FullName).Value} reads {secret.Groups[1].Value}");
        var rights = deployment.Resources("Microsoft.Authorization/roleAssignments")
            .Where(assignment => Secret().IsMatch(assignment.Id))
            .Select(assignment => $"{App().Match(assignment.Properties.GetProperty("principalId").GetString()!).Value} reads {Secret().Match(assignment.Id).Groups[1].Value}");

        Assert.Equal(["api reads operator-secret", "api reads sealing-key", "api reads search-key", "search reads search-key", "webhooks reads sealing-key", "webhooks reads search-key"], uses.Order(StringComparer.Ordinal));
        Assert.Equal(uses.Order(StringComparer.Ordinal), rights.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_script_makes_the_secrets_that_are_used()
    {
        var used = (await Deployment.With("dev")).Resources("Microsoft.Web/sites/config").SelectMany(app => Secret().Matches(app.Properties.ToString())).Select(secret => secret.Groups[1].Value).Distinct();
        var made = Regex.Match(await File.ReadAllTextAsync(Bicep.In("infra/secrets.sh")), "^for name in (.*); do$", RegexOptions.Multiline).Groups[1].Value.Split(' ');

        Assert.Equal(made.Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    /// <summary>Versions of the network's API differ in what they do where nothing is said.</summary>
    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task Subnets_that_programs_run_in_reach_the_internet(string parameters)
    {
        var network = Assert.Single((await Deployment.With(parameters)).Resources("Microsoft.Network/virtualNetworks"));
        var reaching =
            from subnet in network.Properties.GetProperty("subnets").EnumerateArray()
            where subnet.GetProperty("properties").TryGetProperty("delegations", out _)
            where subnet.GetProperty("properties").TryGetProperty("defaultOutboundAccess", out var access) && access.GetBoolean()
            select subnet.GetProperty("name").GetString();

        Assert.Equal(["api", "webhooks", "search"], reaching);
    }

    [GeneratedRegex(@"nodestash(\.\w+)+\b")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\bsecrets/([a-z-]+)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"(?<=\b(id|func)-)(api|webhooks|search)(?=-)|^search$")]
    private static partial Regex App();
}
