using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace NodeStash.LocalHost.Demo;

/// <summary>
/// Runs the demo over HTTP and checks its results: a sale from the first contact to the won deal. A webhook receiver gets every change signed, in order, and
/// through one failure. Every run creates new records, so it can be repeated on the same data.
/// </summary>
public sealed class MainJob
{
    /// <summary>Maximum time for events to arrive after the last change.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private static readonly string[] Everything = ["*"];
    private static readonly string[] Tags = ["enterprise", "decision-maker"];
    private static readonly string[] Plans = ["free", "starter", "pro", "enterprise"];

    private readonly Client crm;
    private readonly Narration tell;
    private readonly Report report;
    private readonly CancellationToken ct;

    private MainJob(Client crm, Narration tell, CancellationToken ct) => (this.crm, this.tell, report, this.ct) = (crm, tell, new Report(tell), ct);

    /// <summary>Runs the demo.</summary>
    /// <returns>The exit code: 0 only if every check passed.</returns>
    public static async Task<int> Run(CommandLine command, TextWriter output)
    {
        var tell = new Narration(output);
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await using var target = await Target.FindOrStart(command.Settings, tell, stop.Token);
            using var crm = new Client(target.Address, target.ApiKey);
            await new MainJob(crm, tell, stop.Token).Run(target, command.Settings.Clock);
            return tell.End(tell.AllRight ? null : "see the crosses above");
        }
        catch (Exception e) when (e is DemoFailedException or StartException)
        {
            return tell.End(e.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return tell.End("stopped before it was done");
        }
    }

    private async Task Run(Target target, TimeProvider clock)
    {
        var start = clock.GetTimestamp();
        var run = RandomNumberGenerator.GetHexString(8, lowercase: true);
        var email = $"jane.{run}@example.com";
        bool IsJaneCreated(JsonElement sent) =>
            sent.Member("event").ValueEquals("contact.created") && sent.Member("data").Member("attributes").Member("email").ValueEquals(email);

        tell.Heading("A webhook receiver, registered for every event");
        await using var receiver = await Receiver.Start(refusedOnce: IsJaneCreated, tell, clock, ct);
        var webhook = await Do(
            HttpMethod.Post, "/v1/webhooks", new { url = receiver.Url, events = Everything, description = $"Demo {run}" }, $"endpoint at {receiver.Url}");
        try
        {
            receiver.Trust(webhook["secret"].GetString()!);
            var sale = await Sell(run, email);
            tell.Heading("Waiting for what is still to be delivered");
            await WaitForAll(receiver, clock);

            tell.Heading("Report");
            var arrivals = receiver.Arrivals;
            report.Judge(arrivals, sale, target.IsOwn);
            var (events, took) = (arrivals.DistinctBy(a => a.EventId).Count(), clock.GetElapsedTime(start).TotalSeconds);
            tell.Say(string.Create(CultureInfo.InvariantCulture, $"  {crm.Requests} requests, {events} events in {arrivals.Count} deliveries, {took:0.0} s"));
        }
        finally
        {
            await CleanUp(webhook.Id!);
            if (target.Remains) tell.Say($"  The records stay to be looked at: the contact {email} and what is linked to it.");
        }
    }

    private async Task<Sale> Sell(string run, string email)
    {
        tell.Heading("Fields of one's own");
        await Define(
            "Lead Score", "number", new { entity_type = "contact", name = "Lead Score", slug = "lead_score", field_type = "number", is_required = false });
        await Define("Plan", "select", new { entity_type = "contact", name = "Plan", slug = "plan", field_type = "select", options = Plans });

        tell.Heading("A company, and a contact who works there");
        var company = await Do(
            HttpMethod.Post, "/v1/companies", new { name = "Acme", domain = $"acme-{run}.example", industry = "Technology" }, "Acme", "company.created");
        var contact = await Do(HttpMethod.Post, "/v1/contacts", new
        {
            first_name = "Jane",
            last_name = "Smith",
            email,
            company_id = company.Id,
            tags = Tags,
            custom_fields = new { lead_score = 85, plan = "pro", source = "website" },
        }, $"Jane Smith <{email}> of Acme", "contact.created");
        await Do(HttpMethod.Put, $"/v1/contacts/{contact.Id}/custom-fields", new { lead_score = 92 }, "Lead Score 85 -> 92", "contact.updated");

        tell.Heading("A pipeline, and a deal that goes through it");
        var pipeline = await Do(HttpMethod.Post, "/v1/pipelines", new
        {
            name = $"Licenses {run}",
            stages = new object[] { new { name = "Qualified" }, new { name = "Proposal" }, new { name = "Won", type = "won" },
                new { name = "Lost", type = "lost" } },
        }, "Qualified, Proposal, Won, Lost", "pipeline.created");
        var stages = pipeline["stages"].EnumerateArray().ToDictionary(s => s.Member("name").GetString()!, s => s.Member("id").GetString()!);
        foreach (var stage in stages.Values) report.Expect(stage, "pipeline_stage.created");

        var deal = await Do(HttpMethod.Post, "/v1/deals", new
        {
            title = "Enterprise License Q2",
            value = 48000.00m,
            currency = "EUR",
            pipeline_id = pipeline.Id,
            stage_id = stages["Qualified"],
            contact_id = contact.Id,
            company_id = company.Id,
            expected_close_date = "2026-06-30",
        }, $"Enterprise License Q2, {Sale.Amount} EUR, in Qualified", "deal.created");
        await Do(HttpMethod.Patch, $"/v1/deals/{deal.Id}", new { stage_id = stages["Proposal"] }, "Qualified -> Proposal", "deal.updated",
            "deal.stage_changed");

        tell.Heading("What was done about it");
        var meeting = await Do(HttpMethod.Post, "/v1/activities", new
        {
            type = "meeting",
            subject = "Product Demo - Q2 Review",
            body = "Discussed roadmap and pricing.",
            contact_id = contact.Id,
            deal_id = deal.Id,
            is_done = true,
        }, "meeting: Product Demo - Q2 Review, done", "activity.created");
        await Do(HttpMethod.Post, "/v1/activities", new { type = "note", body = "Legal has no objections.", deal_id = deal.Id },
            "note: Legal has no objections.", "activity.created");
        var task = await Do(HttpMethod.Post, "/v1/activities", new { type = "task", subject = "Send the contract", deal_id = deal.Id, due_date = "2026-06-15" },
            "task: Send the contract", "activity.created");
        await Do(HttpMethod.Patch, $"/v1/activities/{task.Id}", new { is_done = true }, "task done", "activity.updated");
        await Do(HttpMethod.Patch, $"/v1/deals/{deal.Id}", new { stage_id = stages["Won"] }, "Proposal -> Won", "deal.updated", "deal.stage_changed");

        tell.Heading("Found again");
        var won = await Do(HttpMethod.Get, $"/v1/deals/{deal.Id}", null, "the deal as it is now");
        var notFound = new List<string>();
        await Find($"/v1/contacts?email={email}&tags=enterprise&custom_fields[lead_score][gte]=90&company.industry=Technology", contact, notFound);
        await Find($"/v1/deals?stage_id={stages["Won"]}&min_value=48000", deal, notFound);
        await Find($"/v1/activities?deal_id={deal.Id}&type=meeting&is_done=true", meeting, notFound);
        return new Sale(contact, won, stages["Won"], notFound);
    }

    /// <summary>Sends one request, prints it, and expects its events, all with the same version of the record.</summary>
    private async Task<Reply> Do(HttpMethod method, string path, object? body, string what, params string[] events)
    {
        var success = method == HttpMethod.Post ? HttpStatusCode.Created : HttpStatusCode.OK;
        var reply = await Send(method, path, body, success);
        tell.Step(method, path, reply.Status, what, success is HttpStatusCode.Created ? reply.Id : null);
        if (events.Length > 0) report.Expect(reply.Status is HttpStatusCode.Created ? reply.Id! : path.Split('/')[3], events);
        return reply;
    }

    /// <summary>Creates a custom field, unless an earlier run has.</summary>
    private async Task Define(string name, string type, object definition)
    {
        var reply = await Send(HttpMethod.Post, "/v1/custom-fields", definition, HttpStatusCode.Created, HttpStatusCode.Conflict);
        if (reply.Id is { } id) report.Expect(id, "field.created");
        tell.Step(HttpMethod.Post, "/v1/custom-fields", reply.Status, reply.Id is null ? $"{name} is there already, used again" : $"{name} ({type})", reply.Id);
    }

    /// <summary>Reads a list that must contain exactly one resource.</summary>
    private async Task Find(string path, Reply one, List<string> notFound)
    {
        var reply = await Send(HttpMethod.Get, path, null, HttpStatusCode.OK);
        tell.Step(HttpMethod.Get, path, reply.Status, $"found {reply.ListedIds.Count}", reply.ListedIds is [var first, ..] ? first : null);
        if (reply.ListedIds is not [var only] || only != one.Id) notFound.Add(path);
    }

    private async Task<Reply> Send(HttpMethod method, string path, object? body, params HttpStatusCode[] success)
    {
        var reply = await crm.Send(method, path, body, ct);
        return success.Contains(reply.Status)
            ? reply
            : throw new DemoFailedException($"{method} {path} answered {(int)reply.Status} rather than {(int)success[0]}: {reply.Json}");
    }

    /// <summary>Waits until every expected event was delivered, or the time is over.</summary>
    private async Task WaitForAll(Receiver receiver, TimeProvider clock)
    {
        var start = clock.GetTimestamp();
        while (!report.IsComplete(receiver.Arrivals) && clock.GetElapsedTime(start) < MaxWait) await Task.Delay(TimeSpan.FromMilliseconds(50), clock, ct);
    }

    /// <summary>Removes the endpoint, also after a failure, so that no webhooks go to a stopped receiver.</summary>
    private async Task CleanUp(string webhookId)
    {
        tell.Heading("Cleaning up");
        var path = $"/v1/webhooks/{webhookId}";
        try
        {
            var reply = await crm.Send(HttpMethod.Delete, path, null, CancellationToken.None);
            tell.Check(reply.Status is HttpStatusCode.NoContent, $"DELETE {path}", $"{(int)reply.Status}, the endpoint is removed");
        }
        catch (DemoFailedException e)
        {
            tell.Check(false, "the endpoint stays", e.Message);
        }
    }
}
