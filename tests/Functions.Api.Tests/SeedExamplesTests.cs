using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests;

/// <summary>The examples of the public documentation, as a reader pastes them.</summary>
public sealed class SeedExamplesTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task Create_a_contact()
    {
        var company = (await Api.Create("companies", new { name = "Acme" })).Id;
        var reply = await Api.Create("contacts", $$$"""
            {"first_name":"Jane","last_name":"Smith","email":"jane@example.com","company_id":"{{{company}}}",
             "tags":["enterprise","decision-maker"],"custom_fields":{"lead_score":85,"source":"website"}}
            """);
        Shows("""{"data":{"id":"","type":"contact","attributes":{"first_name":"Jane","last_name":"Smith","email":"jane@example.com","tags":["enterprise","decision-maker"]}}}""", reply.Body);
    }

    [Fact]
    public async Task Create_a_deal_in_a_pipeline()
    {
        var pipeline = await NewPipeline();
        var contact = (await Api.Create("contacts", new { })).Id;
        var reply = await Api.Create("deals", $$"""
            {"title":"Enterprise License Q2","value":48000.00,"currency":"EUR","pipeline_id":"{{pipeline.Id}}","stage_id":"{{StageId(pipeline, "Talks")}}",
             "contact_id":"{{contact}}","expected_close_date":"2025-06-30"}
            """);
        Assert.Equal(("48000.00", "EUR", "2025-06-30"), (reply.Text("value"), reply.Text("currency"), reply.Text("expected_close_date")));
    }

    [Fact]
    public async Task Log_an_activity()
    {
        var (contact, deal) = ((await Api.Create("contacts", new { })).Id, (await Api.Create("deals", new { title = "T" })).Id);
        var reply = await Api.Create("activities", $$"""
            {"type":"meeting","subject":"Product Demo - Q2 Review","body":"Discussed roadmap and pricing.","contact_id":"{{contact}}","deal_id":"{{deal}}","is_done":true}
            """);
        Assert.Equal(("meeting", contact, deal), (reply.Text("type"), reply.Text("contact_id"), reply.Text("deal_id")));
        Assert.NotNull(reply.Text("completed_at"));
    }

    [Fact]
    public async Task Define_a_custom_field_and_set_its_value_on_a_contact()
    {
        await Api.Create("custom-fields", """{"entity_type":"contact","name":"Lead Score","slug":"lead_score","field_type":"number","is_required":false}""");
        var contact = await Api.Create("contacts", new { });
        var reply = (await Api.Put($"/v1/contacts/{contact.Id}/custom-fields", """{"lead_score":92}""")).Is(200);
        Assert.Equal(92, reply.List.Single().GetProperty("attributes").GetProperty("value").GetInt32());
    }

    [Fact]
    public async Task A_webhook_payload()
    {
        var contact = await Api.Create("contacts", """{"first_name":"Jane","last_name":"Smith","email":"jane@example.com"}""");
        Shows(
            """
            {"event":"contact.created","timestamp":"","data":{"id":"","type":"contact","attributes":{"first_name":"Jane","last_name":"Smith","email":"jane@example.com"}},
             "metadata":{"workspace_id":"","triggered_by":"api"}}
            """,
            Assert.Single(await Server.EventsOf(Workspace, contact.Id)));
    }

    [Fact]
    public async Task List_custom_field_definitions()
    {
        await Api.Create("custom-fields", """{"entity_type":"contact","name":"Region","field_type":"text","display_order":1}""");
        await Api.Create("custom-fields", PlanField);
        var reply = (await Api.Get("/v1/custom-fields?entity_type=contact&sort=-created_at")).Is(200);
        Shows(
            """
            {"data":[
              {"id":"","type":"custom_field_definition","attributes":{"id":"","entity_type":"contact","name":"Plan","slug":"plan","field_type":"select",
               "description":"Subscription plan of the contact","is_required":false,"options":["free","starter","pro","enterprise"],"display_order":0,"created_at":"","updated_at":""}},
              {"id":"","type":"custom_field_definition","attributes":{"id":"","entity_type":"contact","name":"Region","slug":"region","field_type":"text",
               "description":null,"is_required":false,"options":null,"display_order":1,"created_at":"","updated_at":""}}],
             "meta":{"request_id":"","pagination":{"has_more":false}}}
            """,
            reply.Body);
        Assert.NotNull((await Api.Get("/v1/custom-fields?entity_type=contact&sort=-created_at&limit=1")).NextCursor);
    }

    [Fact]
    public async Task Create_a_custom_field_definition()
    {
        var reply = await Api.Create("custom-fields", PlanField);
        Shows(
            """
            {"data":{"id":"","type":"custom_field_definition","attributes":{"id":"","entity_type":"contact","name":"Plan","slug":"plan","field_type":"select",
              "description":"Subscription plan of the contact","is_required":false,"options":["free","starter","pro","enterprise"],"display_order":0,"created_at":"","updated_at":""}},
             "meta":{"request_id":""}}
            """,
            reply.Body);
    }

    [Fact]
    public async Task The_errors_shown()
    {
        Shows("""{"error":{"code":"INVALID_API_KEY","message":"Missing or invalid Authorization header"},"meta":{"request_id":""}}""",
            (await Server.Anonymous.Get("/v1/custom-fields?entity_type=contact&sort=-created_at")).Is(401).Body);
        Shows("""{"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":[{"field":"email","message":"Invalid email"}]},"meta":{"request_id":""}}""",
            (await Api.Post("/v1/contacts", """{"email":"jane"}""")).Is(400).Body);
        await Api.Create("contacts", """{"email":"jane@acme.com"}""");
        Shows("""{"error":{"code":"CONFLICT","message":"A contact with email 'jane@acme.com' already exists in this workspace"},"meta":{"request_id":""}}""",
            (await Api.Post("/v1/contacts", """{"email":"jane@acme.com"}""")).Is(409).Body);
    }

    private const string PlanField =
        """{ "entity_type": "contact", "name": "Plan", "field_type": "select", "description": "Subscription plan of the contact", "options": [ "free", "starter", "pro", "enterprise" ] }""";

    /// <summary>Whether an answer has all that an example shows; an empty text stands for any text that is not empty.</summary>
    private static void Shows(string example, JsonElement answer) => Shows(JsonElement.Parse(example), answer, "");

    private static void Shows(JsonElement example, JsonElement answer, string path)
    {
        Assert.True(example.ValueKind == answer.ValueKind, $"{path}: {answer}");
        if (example.ValueKind is JsonValueKind.Object)
        {
            foreach (var property in example.EnumerateObject())
            {
                Assert.True(answer.TryGetProperty(property.Name, out var value), $"{path}.{property.Name} is missing");
                Shows(property.Value, value, $"{path}.{property.Name}");
            }
        }
        else if (example.ValueKind is JsonValueKind.Array)
        {
            Assert.Equal(example.GetArrayLength(), answer.GetArrayLength());
            for (var i = 0; i < example.GetArrayLength(); i++) Shows(example[i], answer[i], $"{path}[{i}]");
        }
        else if (example.ValueKind is JsonValueKind.String && example.ValueEquals(""))
        {
            Assert.NotEmpty(answer.GetString()!);
        }
        else
        {
            Assert.True(JsonElement.DeepEquals(example, answer), $"{path}: {answer}");
        }
    }
}
