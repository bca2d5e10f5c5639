package nearest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/grpcmw/internal/nearest"
)

func TestNames_To(t *testing.T) {
	t.Parallel()
	long := "/long.Service/" + strings.Repeat("Method", 50)
	longer := "/longer.Service/" + strings.Repeat("Other", 60)
	methods := []string{
		"/orders.v1.Orders/GetOrder",
		"/orders.v1.Orders/GetOrders",
		"/orders.v1.Orders/DeleteOrder",
		"/orders.v1.Orders/CreateOrder",
		"/orders.v1.Admin/Purge",
		"/orders.v1.Report/Daily",
		"/invoices.v1.Invoices/Pay",
		"/invoices.v2beta1.Invoices/List",
		"/s.S/M",
		"/case.Case/Get",
		"/case.Case/GET",
		long, longer,
		"/short.Short/Get",
		"/alone.Alpha/Lai",
		"/single.Beta/Lia",
		"/short.Short/Cdorder",
		"/stock.v9alpha1.Stock/Reserve",
		"/stock.vendorships.Items/Acquire",
		"/stock.x1aaaaaa.Items/Measure",
		"/mail.v.Mail/Deliver",
		"/mail.v1.Alpha/Forward",
	}
	for name, row := range map[string]struct{ entry, want string }{
		"a letter missing":            {"/orders.v1.Orders/GetOrdr", "/orders.v1.Orders/GetOrder"},
		"two letters exchanged":       {"/orders.v1.Orders/GteOrder", "/orders.v1.Orders/GetOrder"},
		"the nearer one":              {"/orders.v1.Orders/GetOrderss", "/orders.v1.Orders/GetOrders"},
		"service misspelt":            {"/ordes.v1.Order/GetOrder", "/orders.v1.Orders/GetOrder"},
		"both misspelt":               {"/orders.v1.Order/GetOdrer", "/orders.v1.Orders/GetOrder"},
		"other case":                  {"/Orders.V1.orders/getorder", "/orders.v1.Orders/GetOrder"},
		"case decides":                {"/case.Case/GEt", "/case.Case/GET"},
		"other version":               {"/invoices.v1.Invoices/List", "/invoices.v2beta1.Invoices/List"},
		"no version":                  {"/invoices.Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"other package":               {"/shop.billing.v3.Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"no package":                  {"/Invoices/Pay", "/invoices.v1.Invoices/Pay"},
		"other service":               {"/orders.v1.Operations/Purge", "/orders.v1.Admin/Purge"},
		"long, in another case":       {strings.ToLower(long), long},
		"long, a letter more":         {long + "s", ""},
		"long, of another service":    {strings.Replace(longer, "longer", "another", 1), ""},
		"three letters, one other":    {"/short.Short/Gut", "/short.Short/Get"},
		"three letters, exchanged":    {"/short.Short/Gte", "/short.Short/Get"},
		"exchanged, and another":      {"/alone.Alpha/Lix", ""},
		"another, and exchanged":      {"/single.Beta/Lxi", ""},
		"two before, one less":        {"/short.Short/Border", ""},
		"two letters missing":         {"/orders.v1.Orders/DeleteOrd", "/orders.v1.Orders/DeleteOrder"},
		"other version, and a letter": {"/stock.v0.Stock/Reserv", "/stock.v9alpha1.Stock/Reserve"},
		"no version, and a letter":    {"/stock.vx.Items/Acquir", ""},
		"no version either":           {"/stock.y2bbbbbb.Items/Measur", ""},
		"a letter that is no version": {"/mail.Mail/Delive", "/mail.v.Mail/Deliver"},
		"that, and another package":   {"/letters.v.Mail/Delive", ""},
		"package, and a letter":       {"/elsewhere.entirely.Admin/Purg", ""},
		"service, and a letter":       {"/mail.v1.Zetas/Forwar", ""},
		"another method":              {"/orders.v1.Orders/ArchiveOrder", ""},
		"one letter is all there is":  {"/s.S/N", ""},
		"same name, nothing else":     {"/x.Y/Pay", ""},
		"package and service are two": {"/shop.Accounts/Purge", ""},
		"nothing like it":             {"/grpc.health.v1.Health/Check", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, nearest.Of(methods).To(row.entry))
		})
	}
}

// Services are found as well.
func TestNames_To_service(t *testing.T) {
	t.Parallel()
	services := nearest.Of([]string{"orders.v1.Orders", "grpc.health.v1.Health"})
	assert.Equal(t, "orders.v1.Orders", services.To("orders.v2.Orders"))
	assert.Equal(t, "orders.v1.Orders", services.To("orders.v1.Order"))
	assert.Empty(t, services.To("invoices.v1.Invoices"))
	assert.Empty(t, nearest.Of(nil).To("orders.v1.Orders"))
}

// Names that are all wrong are not looked for for ever.
func TestNames_To_bounded(t *testing.T) {
	t.Parallel()
	names := nearest.Of([]string{"orders.v1.Orders"})
	for range 32 {
		assert.Equal(t, "orders.v1.Orders", names.To("orders.v1.Orders"))
	}
	assert.Empty(t, names.To("orders.v1.Orders"))
}
